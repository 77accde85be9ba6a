/** The three ways onto a page, for a shop of this installation. docs/guide/embed.md shows the same. */
export function embedCode(base: string, shop: string) {
  const script = `<script async src="${base}/sdk/fiido-kefu.js?shop=${shop}"`;
  return {
    script: `${script} data-shop="${shop}"></script>`,
    call: `${script}></script>
<script>
  (window.FiidoChat ??= []).push(["init", { shop: "${shop}", autoOpen: false }]);
</script>`,
    iframe: `<iframe src="${base}/embed?shop=${shop}" title="客服 · Customer chat" allow="clipboard-write"
  style="width: 100%; height: 640px; border: 0"></iframe>`,
  } as const;
}

export type Way = keyof ReturnType<typeof embedCode>;
export const WAYS: readonly Way[] = ["script", "call", "iframe"];
