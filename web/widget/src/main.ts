import { createApp } from "vue";
import App from "./components/App.vue";
import { fitKeyboard } from "../../sdk/src/keyboard";
import { embedFrom } from "./embed";
import "../../tokens.css";
import "./base.css";
import { locale } from "./words";

const embed = embedFrom(location.search, navigator.language);
locale.value = embed.locale;
if (embed.theme !== "auto") document.documentElement.dataset.theme = embed.theme;
const app = document.querySelector<HTMLElement>("#app");
if (app && window.parent === window) {
  document.documentElement.dataset.alone = "";
  fitKeyboard(app);
}
createApp(App, { embed }).mount("#app");
