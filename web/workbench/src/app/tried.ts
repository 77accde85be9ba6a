import { explain } from "./errors";

/** Does it, or tells the person why it could not be done; whether it was. */
export async function tried(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (thrown) {
    ElMessage.warning({ message: explain(thrown), grouping: true });
    return false;
  }
}
