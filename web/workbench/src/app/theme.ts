import { ref, watchEffect } from "vue";

export type Theme = "auto" | "light" | "dark";
const KEY = "kefu.theme";

function kept(): Theme {
  const theme = localStorage.getItem(KEY);
  return theme === "light" || theme === "dark" ? theme : "auto";
}

export const theme = ref<Theme>(kept());

watchEffect(() => {
  localStorage.setItem(KEY, theme.value);
  // Without the attribute the tokens follow the system.
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
