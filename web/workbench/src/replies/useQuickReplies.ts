import { computed, nextTick, type Ref, ref, watch } from "vue";
import { explain } from "../app/errors";
import { type Reply, useReplies } from "./replies";

/**
 * Quick replies for a field with `text`: the picker is opened by a slash that begins the text, Alt and a digit puts one
 * in at once. `done`: what happens after one was put in.
 */
export function useQuickReplies(text: Ref<string>, session: () => string, done: () => void) {
  const replies = useReplies();
  const isOpen = ref(false);
  const keyword = computed(() => (text.value.startsWith("/") ? text.value.slice(1) : ""));

  watch(text, (now, before) => {
    if (now === "/" && before === "") isOpen.value = true;
    else if (isOpen.value && before.startsWith("/") && !now.startsWith("/")) isOpen.value = false;
  });

  async function put(reply: Reply): Promise<void> {
    const isAsked = isOpen.value && text.value.startsWith("/");
    isOpen.value = false;
    try {
      const said = await replies.use(reply.id, session());
      const before = isAsked ? "" : text.value;
      text.value = before && !/\s$/.test(before) ? `${before} ${said}` : before + said;
    } catch (thrown) {
      ElMessage.warning({ message: explain(thrown), grouping: true });
    }
    await nextTick();
    done();
  }

  /** Whether the key chose one. */
  function onKey(event: KeyboardEvent): boolean {
    const isAlt = event.altKey && !event.ctrlKey && !event.metaKey;
    const digit = isAlt ? /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] : undefined;
    if (!digit) return false;
    event.preventDefault();
    void putByKey(Number(digit));
    return true;
  }

  async function putByKey(key: number): Promise<void> {
    if (!replies.loaded) await replies.load(session());
    const reply = replies.withKey(key);
    if (reply) await put(reply);
  }

  return { isOpen, keyword, put, onKey };
}
