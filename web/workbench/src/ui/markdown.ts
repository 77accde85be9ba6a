import createPurifier from "dompurify";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable("image");
const purifier = createPurifier(window);

// An agent must not lose the desk to a link, nor tell the other side where the click came from.
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer");
});

/** Safe HTML: no images, no raw HTML, no scripts. */
export function rendered(text: string): string {
  return purifier.sanitize(markdown.render(text), { USE_PROFILES: { html: true } });
}
