import { useStorage } from "@vueuse/core";

export const DENSITIES = ["roomy", "compact"] as const;
export type Density = (typeof DENSITIES)[number];

/** How tall the list's rows are, in pixels; SessionRow draws itself so. */
export const ROW: Record<Density, number> = { roomy: 78, compact: 52 };

/** Of this browser: what is comfortable depends on its screen. */
export const density = useStorage<Density>("kefu.density", "roomy");
