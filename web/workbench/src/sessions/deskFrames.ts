import type { DeskFrame } from "@kefu/api";
import { createEventHook } from "@vueuse/core";

/** What the desk's one line brings, for whoever keeps a part of it. */
export const deskFrames = createEventHook<DeskFrame>();
