/**
 * The version that clients are told over the wire: that of the nsqd whose protocol and HTTP API are spoken here, so
 * that tools which choose their ways by it choose right.
 */
export const NSQD_VERSION = '1.3.0';
