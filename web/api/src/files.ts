import type * as Api from "./generated";

/** A file of a message, as everybody is told of it; its content is fetched with a token. */
export type FileRef = Api.FileOut;

/** What a message says where there is only text: its words, and the names of its files. */
export function inWords({ content, files }: { content: string; files?: readonly FileRef[] | null }): string {
  return [...(content ? [content] : []), ...(files ?? []).map(({ name }) => `[${name}]`)].join("\n");
}
