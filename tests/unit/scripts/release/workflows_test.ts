/** The workflows of the hosting service: they call scripts of the project, and nothing else. */
import assert from "node:assert/strict";
import { parse } from "yaml";

const PROJECT = new URL("../../../../", import.meta.url);

interface Workflow {
  readonly on: unknown;
  readonly jobs: Readonly<Record<string, { steps: { run?: string; uses?: string }[] }>>;
}

const workflows = [...Deno.readDirSync(new URL(".github/workflows/", PROJECT))].map(({ name }) => ({
  name,
  workflow: parse(Deno.readTextFileSync(new URL(`.github/workflows/${name}`, PROJECT))) as Workflow,
}));

/** Path of the script that a step calls, or undefined where it does anything else. */
function scriptOf(run: string): string | undefined {
  return /^(?:bash )?((?:scripts\/|\.ci\/)\w+)(?: --\w+(?: "[\w$\/:.-]+")?)*$/.exec(run)?.[1];
}

Deno.test("each step of a workflow is one call of a script that is there and can be executed", () => {
  assert.ok(workflows.length >= 2);
  for (const { name, workflow } of workflows) {
    const runs = Object.values(workflow.jobs).flatMap(({ steps }) => steps).flatMap(({ run }) => run ?? []);
    assert.ok(runs.length > 0, name);
    for (const run of runs) {
      const script = scriptOf(run);
      assert.ok(script !== undefined, `${name}: ${run}`);
      assert.ok((Deno.statSync(new URL(script, PROJECT)).mode! & 0o111) !== 0, script);
    }
  }
});

Deno.test("scriptOf() takes no other command", () => {
  assert.equal(scriptOf("bash .ci/run"), ".ci/run");
  assert.equal(scriptOf('scripts/release --url "$A/b"'), "scripts/release");
  for (
    const run of ["npm test", "scripts/test; true", "scripts/test && x", "bash -c x", 'scripts/x --u "$(id)"']
  ) {
    assert.equal(scriptOf(run), undefined, run);
  }
});

Deno.test("the workflows run on pushes and on tags, and use nothing but the service's own actions", () => {
  const byName = new Map(workflows.map(({ name, workflow }) => [name, workflow]));
  assert.ok((byName.get("test.yml")!.on as string[]).includes("push"));
  assert.deepEqual((byName.get("release.yml")!.on as { push: { tags: string[] } }).push.tags, ["v*"]);
  const uses = workflows.flatMap(({ workflow }) => Object.values(workflow.jobs)).flatMap(({ steps }) => steps)
    .flatMap(({ uses }) => uses ?? []);
  for (const action of uses) assert.match(action, /^actions\/[a-z-]+@v\d+$/);
});
