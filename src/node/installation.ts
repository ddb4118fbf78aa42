/** Makes this process' node the runtime of its sessions. Called when an application imports "millrace". */
import { setDefaultTimeZone, setRuntimeProvider } from "../api/runtime-provider.ts";
import { type FaceFactory, setFace } from "./face.ts";
import { timeZoneFrom } from "./settings.ts";
import { nodeRuntime } from "./session-runtime.ts";

/** Registers the node, unless something else is registered already (`millrace explain`, a test). */
export const installNode = (face: FaceFactory): void => {
  setFace(face);
  setDefaultTimeZone(() => timeZoneFrom(process.env));
  const before = setRuntimeProvider(nodeRuntime);
  if (before !== undefined) setRuntimeProvider(before);
};
