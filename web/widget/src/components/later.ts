import { defineAsyncComponent } from "vue";

/** A lost chunk is asked for again: without it the visitor would wait for a form that does not come. */
const patient = { onError: (_: Error, retry: () => void) => void setTimeout(retry, 2_000) };

export const IntroductionForm = defineAsyncComponent({ loader: () => import("./IntroductionForm.vue"), ...patient });
export const ConsentText = defineAsyncComponent({ loader: () => import("./ConsentText.vue"), ...patient });
