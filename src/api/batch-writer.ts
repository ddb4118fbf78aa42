/** Placeholder of the batch writer. */
import type { FrameCore } from "./frame-core.ts";
export class DataFrameWriter {
  readonly frame: FrameCore;
  constructor(frame: FrameCore) {
    this.frame = frame;
  }
}
