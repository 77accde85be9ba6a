import { provide } from "vue";
import { useI18n } from "vue-i18n";
import { FETCH_MS, fileDoor } from "../../../files/door";
import { file, tokens } from "../accounts/client";

/** The components below may show and take up files of the session. */
export function provideFiles(session: () => string): void {
  const { locale } = useI18n();
  provide(fileDoor, {
    locale: () => (locale.value === "zh" ? "zh" : "en"),
    session,
    target: async () => ({ session: session(), token: await tokens.access() }),
    fetch: ({ id }) => file(`/api/files/${id}`, { timeoutMs: FETCH_MS }),
  });
}
