// What carries frames between two workers. Data and control travel apart, each in order. Frames are given away: the
// sender never touches them again.

export type Frame = Uint8Array<ArrayBuffer>;

export interface Wire {
  /** Begins to receive; frames that came before wait until then. */
  open(onData: (frame: Uint8Array) => void, onControl: (frame: Uint8Array) => void): void;
  sendData(frame: Frame): void;
  sendControl(frame: Frame): void;
  close(): void;
}
