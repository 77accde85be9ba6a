import { createApp } from "vue";
import App from "./components/App.vue";
import { embedFrom } from "./embed";
import "../../tokens.css";
import "./base.css";
import { locale } from "./words";

const embed = embedFrom(location.search, navigator.language);
locale.value = embed.locale;
if (embed.theme !== "auto") document.documentElement.dataset.theme = embed.theme;
createApp(App, { embed }).mount("#app");
