import createPurifier from "dompurify";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable("image");
const purifier = createPurifier(window);

// An agent must not lose the desk to a link, nor tell the other side where the click came from.
markdown.renderer.rules.link_open = (tokens, index, options, _env, self) => {
  tokens[index]?.attrSet("target", "_blank");
  tokens[index]?.attrSet("rel", "noopener noreferrer");
  return self.renderToken(tokens, index, options);
};

/** Safe HTML: no images, no raw HTML, no scripts. */
export function rendered(text: string): string {
  return purifier.sanitize(markdown.render(text), { USE_PROFILES: { html: true }, ADD_ATTR: ["target"] });
}
