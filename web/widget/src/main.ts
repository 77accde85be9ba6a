import { createApp, defineAsyncComponent } from "vue";
import App from "./components/App.vue";
import { embedFrom } from "./embed";
import "../../tokens.css";
import "./base.css";
import { locale } from "./words";

const embed = embedFrom(location.search, navigator.language);
locale.value = embed.locale;
if (embed.theme !== "auto") document.documentElement.dataset.theme = embed.theme;
const root = embed.isPreview ? defineAsyncComponent(() => import("./components/LookPreview.vue")) : App;
createApp(root, { embed }).mount("#app");
