import "../../tokens.css";
import "./app/base.css";
import "./app/element.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "./app/App.vue";
import { i18n } from "./app/locale";
import { router } from "./app/router";

createApp(App).use(createPinia()).use(i18n).use(router).mount("#app");
