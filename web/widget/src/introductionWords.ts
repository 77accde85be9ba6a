import { computed } from "vue";
import { locale } from "./words";

const zh = {
  title: "开始咨询之前",
  name: "您的称呼",
  email: "邮箱",
  optional: "选填",
  start: "开始咨询",
  noName: "请填写您的称呼",
  wrongEmail: "请输入有效的邮箱地址，例如 name@example.com",
  notAgreed: "请先勾选同意",
  privacy: "隐私说明",
};

const en: typeof zh = {
  title: "Before we start",
  name: "Your name",
  email: "E-mail",
  optional: "optional",
  start: "Start the chat",
  noName: "Tell us what to call you",
  wrongEmail: "Enter a full address, such as name@example.com",
  notAgreed: "Please agree first",
  privacy: "Privacy",
};

export const introductionWords = computed(() => (locale.value === "zh" ? zh : en));
