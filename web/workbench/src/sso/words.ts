export const en = {
  button: "Sign in with single sign-on",
  or: "or",
  coming: "Signing you in…",
  foreign: "This sign-in was not begun in this tab. Please begin here.",
  refused: "Your provider did not sign you in.",
};

export const zh: typeof en = {
  button: "使用单点登录",
  or: "或",
  coming: "正在登录…",
  foreign: "该登录不是在此标签页发起的，请从这里重新开始。",
  refused: "登录平台未能完成登录。",
};
