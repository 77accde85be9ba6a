import { defineChatwoot } from "./chatwoot";
import { defineIntercom } from "./intercom";
import { start } from "./start";

const kefu = start();
defineChatwoot(kefu);
defineIntercom(kefu);
