import { type Api, type ApiError, failureFromThrown } from "@kefu/api";
import { reactive } from "vue";
import { request } from "../accounts/client";

export type Article = Api.ArticleOut;
export type Summary = Api.ArticleSummary;
export type Move = "submit" | "publish" | "archive" | "send-back";
type Query = Readonly<Record<string, string | number | null | undefined>>;

export const ARTICLES = "/api/knowledge/articles";
export const placeOf = (id: string) => `${ARTICLES}/${encodeURIComponent(id)}`;

/** What a list of the API holds, page by page. `name`: of the list in its answers. Asking anew lets old answers go. */
export function createPages<Row>(path: string, name: string) {
  const state = reactive({
    rows: [] as Row[],
    hasMore: false,
    loading: false,
    failure: null as ApiError | null,
  });
  let cursor: string | null = null;
  let query: Query = {};
  let running = new AbortController();

  /** `quietly`: what is shown stays until the answer is there. */
  async function ask(wanted: Query, quietly = false): Promise<void> {
    running.abort();
    running = new AbortController();
    cursor = null;
    query = wanted;
    Object.assign(state, { hasMore: true, loading: false, failure: null }, quietly ? {} : { rows: [] });
    await more(true);
  }

  async function more(anew = false): Promise<void> {
    if (state.loading || !state.hasMore) return;
    const { signal } = running;
    Object.assign(state, { loading: true, failure: null });
    try {
      type Page = { data: Record<string, Row[]> & { next_cursor: string | null } };
      const { data } = await request<Page>(path, { query: { ...query, cursor }, signal });
      if (signal.aborted) return;
      cursor = data.next_cursor;
      const page = data[name] ?? [];
      Object.assign(state, { rows: anew ? page : [...state.rows, ...page], hasMore: cursor !== null });
    } catch (thrown) {
      if (!signal.aborted) state.failure = failureFromThrown(thrown);
    } finally {
      if (!signal.aborted) state.loading = false;
    }
  }

  return { state, ask, more: () => more() };
}

type Answer = { data: Article };

export const readArticle = async (id: string) => (await request<Answer>(placeOf(id))).data;
export const createArticle = async (body: Api.NewArticle) => (await request<Answer>(ARTICLES, { body })).data;

export async function changeArticle(id: string, body: Partial<Api.ArticleChange> & { version: number }): Promise<Article> {
  return (await request<Answer>(placeOf(id), { method: "PATCH", body })).data;
}

export async function moveArticle({ id, version }: Summary, move: Move, more: { reason?: string; force?: string } = {}): Promise<Article> {
  return (await request<Answer>(`${placeOf(id)}/${move}`, { body: { version, ...more } })).data;
}
