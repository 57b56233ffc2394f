export declare class FinishBuffer {
  constructor(capacity: number);
  count: number;
  add(frames: DataView, at: number): void;
  get bytes(): Buffer;
}
