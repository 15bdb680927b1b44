/** Translations and layouts. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { ErrorDto } from "@novu/api/models/errors/index.js";

import { novu, refused, unique } from "./support.ts";

async function workflow(context: TestContext): Promise<string> {
  const workflowId = `flow-${unique()}`;
  await novu.workflows.create({ workflowId, name: "Flow", isTranslationEnabled: true, steps: [] });
  context.after(() => novu.workflows.delete(workflowId));
  return workflowId;
}

function file(fileName: string, content: unknown): File {
  return new File([JSON.stringify(content)], fileName, { type: "application/json" });
}

test("a translation is written, read and removed", async (context) => {
  const resourceId = await workflow(context);
  const content = { title: "Hallo" };
  const given = { resourceType: "workflow" as const, resourceId, locale: "de_AT", content };
  const made = await novu.translations.create(given);
  assert.deepEqual([made.resourceId, made.locale, made.content], [resourceId, "de_AT", content]);
  const one = { resourceType: "workflow" as const, resourceId, locale: "de_AT" };
  assert.deepEqual(await novu.translations.retrieve(one), made);
  assert.deepEqual((await novu.translations.groups.retrieve("workflow", resourceId)).locales, ["de_AT"]);
  await novu.translations.delete(one);
  await assert.rejects(novu.translations.retrieve(one), { statusCode: 404 });
  await novu.translations.create(given);
  await novu.translations.groups.delete("workflow", resourceId);
  await assert.rejects(novu.translations.groups.retrieve("workflow", resourceId), { statusCode: 404 });
});

test("translation files are uploaded", async (context) => {
  const resourceId = await workflow(context);
  const texts = { "de.json": "Hallo", "fr_FR.json": "Salut", "no!.json": "?" };
  const files = Object.entries(texts).map(([fileName, title]) => {
    return { fileName, content: new TextEncoder().encode(JSON.stringify({ title })) };
  });
  const found = await novu.translations.upload({ resourceType: "workflow", resourceId, files });
  assert.deepEqual([found.totalFiles, found.successfulUploads, found.failedUploads], [3, 2, 1]);
  assert.deepEqual((await novu.translations.groups.retrieve("workflow", resourceId)).locales, ["de", "fr_FR"]);
});

test("all of a locale is taken out and put in again", async (context) => {
  const resourceId = await workflow(context);
  const masterJson = { workflows: { [resourceId]: { title: "Ciao" } } };
  const imported = await novu.translations.master.import({ locale: "it", masterJson });
  assert.deepEqual([imported.success, imported.successful], [true, [resourceId]]);
  assert.deepEqual((await novu.translations.master.retrieve("it")).workflows[resourceId], { title: "Ciao" });
  const uploaded = await novu.translations.master.upload({ file: file("es.json", masterJson) });
  assert.equal(uploaded.success, true);
  assert.deepEqual((await novu.translations.master.retrieve("es")).workflows[resourceId], { title: "Ciao" });
});

test("a layout is created, changed, copied, previewed, listed and deleted", async () => {
  const layoutId = `layout-${unique()}`;
  const { result: made } = await novu.layouts.create({ layoutId, name: "Frame" });
  assert.deepEqual([made.layoutId, made.isTranslationEnabled], [layoutId, false]);
  assert.equal((await novu.layouts.retrieve(made.slug)).result.id, made.id);
  const controlValues = { email: { body: "<b>{{subscriber.firstName}}</b>", editorType: "html" as const } };
  const { result: changed } = await novu.layouts.update({ name: "New", controlValues }, layoutId);
  assert.deepEqual(changed.controls.values, controlValues);
  const { result: copy } = await novu.layouts.duplicate({ name: "Copy" }, layoutId);
  assert.deepEqual(copy.controls.values, controlValues);
  const { result: listed } = await novu.layouts.list({ query: copy.layoutId });
  assert.deepEqual([listed.layouts.map(({ id }) => id), listed.totalCount], [[copy.id], 1]);
  const previewPayload = { subscriber: { firstName: "Bob" } };
  const { result: shown } = await novu.layouts.generatePreview({ previewPayload }, layoutId);
  assert.ok(JSON.stringify(shown.result).includes("<b>Bob</b>"));
  assert.deepEqual((await novu.layouts.usage(layoutId)).result.workflows, []);
  for (const id of [layoutId, copy.id]) await novu.layouts.delete(id);
  assert.equal((await refused(() => novu.layouts.retrieve(layoutId), ErrorDto)).statusCode, 404);
});
