export type OnFrame = (chunk: Buffer, at: number, type: number, size: number) => void;

export declare class FrameScanner {
  constructor(onFrame: OnFrame);
  scan(chunk: Buffer, length: number): void;
}
