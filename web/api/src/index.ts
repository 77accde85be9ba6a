/** Shapes of the HTTP API, made from openapi.json. */
export type * as Api from "./generated";
export * from "./choice";
export * from "./client";
export * from "./events";
export * from "./team";
export * from "./failure";
export * from "./fold";
export * from "./follow";
export * from "./joins";
export type * from "./line";
export * from "./lock";
export * from "./marker";
export * from "./outbox";
export * from "./poll";
export * from "./socket";
export * from "./sse";
export * from "./transcript";
export * from "./typing";
