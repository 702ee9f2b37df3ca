// What carries frames between two workers. Data and control travel apart, each in order, each frame once. Frames are
// given away: the sender never touches them again.

export type Frame = Uint8Array<ArrayBuffer>;

/** Who takes what a wire brings. */
export interface WireReceiver {
  data(frame: Uint8Array): void;
  control(frame: Uint8Array): void;
  /** It carries nothing any more, and frames may be gone with it; told once, and never after `close`. */
  lost(reason: string): void;
}

export interface Wire {
  /** Begins to receive; frames that came before wait until then. */
  open(receiver: WireReceiver): void;
  sendData(frame: Frame): void;
  sendControl(frame: Frame): void;
  close(): void;
}
