import type { LogEvent, Logged } from "./events";
import type * as Api from "./generated";

export type Customer = Api.CustomerOut;

/** Internal. The visitor is this customer from here on; with a proof all older tokens of the session are void. */
export interface SessionIdentified extends Logged<"session.identified"> {
  customer: Customer;
  visitor_id: string;
  identity_epoch: number;
}

/** Internal. Nobody holds a token of the session any more. */
export interface SessionSignedOut extends Logged<"session.signed_out"> {
  identity_epoch: number;
}

/** Internal. The shop tells more, or something else, of the same customer. */
export interface CustomerDescribed extends Logged<"customer.described"> {
  customer: Customer;
}

/** Internal. What the visitor said of themselves before the first word; `agreed`: the words they agreed to. */
export interface VisitorIntroduced extends Logged<"visitor.introduced"> {
  name?: string;
  email?: string;
  agreed?: string;
}

export type IdentityEvent = SessionIdentified | SessionSignedOut | CustomerDescribed;

/** Sealed in the database with a key that is not there any more. */
export function isUnreadable(contact: string): boolean {
  return contact === "Unreadable";
}

export function introductionOf(events: readonly LogEvent[]): VisitorIntroduced | undefined {
  return events.findLast((event) => event.type === "visitor.introduced");
}

/** Who the visitor is, as the log says; only agents hear of it. */
export function customerOf(events: readonly LogEvent[]): Customer | undefined {
  return events.findLast((event) => event.type === "session.identified" || event.type === "customer.described")?.customer;
}
