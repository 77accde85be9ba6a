export * from "./client";
export * from "./events";
export * from "./failure";
export * from "./fold";
export * from "./follow";
export * from "./lock";
export * from "./outbox";
export * from "./typing";
