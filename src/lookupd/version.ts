/** The version that peers and tools are told: that of the nsqlookupd whose protocol and HTTP API are spoken here. */
export const NSQLOOKUPD_VERSION = '1.3.0';
