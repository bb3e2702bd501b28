/** What stands before and behind the figures: the summary, validity, limits, the environment, the document itself. */
import type { BenchDocument } from '../../document.js';
import { quantity } from '../../quantity.js';
import { counted, countText, durationText, numberText, rangesText, scaled, scaleFor } from '../units.js';
import { invalidVariants, titleOf } from '../view.js';
import { type Html, html } from './markup.js';

export function timeText(started: string): string {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::[\d.]+)?Z$/.exec(started);
  return found === null ? started : `${found[1]} ${found[2]} UTC`;
}

export function headPart(
  document: BenchDocument,
  chapters: readonly (readonly [id: string, title: string])[],
): Html {
  const { kernel, machine } = document.environment;
  const cpus = counted(machine.cpus, 'CPU');
  return html`<header><div>
<div class="top"><p class="eyebrow">netkit bench ${document.scenario}</p><button class="theme" type="button" hidden>Dark</button></div>
<h1>${document.title}</h1>
<ul class="facts">
<li><b>${timeText(document.started)}</b></li>
<li>took <b>${durationText(document.seconds)}</b>${document.ended === 'interrupted' ? ' (interrupted)' : null}</li>
<li>Linux <b>${kernel.release}</b></li>
<li><b>${machine.cpu}</b>, ${cpus}${machine.isVirtual === true ? ', virtual' : null}</li>
<li>seed <b>${document.seed}</b></li>
</ul>
<nav aria-label="Parts of this report">${chapters.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
</div></header>
`;
}

export function summaryPart(document: BenchDocument): Html {
  const invalid = invalidVariants(document);
  // The box below says it with its reason.
  const heads = invalid.map(({ variant }) => `${variant.title} is invalid`);
  const sentences = document.summary.filter(
    (sentence) => !/^Interrupted:/.test(sentence) && !heads.some((head) => sentence.startsWith(head)),
  );
  return html`<section class="card summary" id="summary">
<ul>${sentences.map((sentence) => html`<li>${unbroken(sentence)}</li>`)}</ul>
${
  invalid.length === 0
    ? null
    : html`<div class="callout"><p>${counted(invalid.length, 'variant')} without a result</p>
<ul>${invalid.map(({ variant, why }) => html`<li><b>${titleOf(variant)}</b>: ${why}</li>`)}</ul></div>`
}
${document.ended === 'interrupted' ? html`<div class="callout"><p>Interrupted: this is what was measured until then.</p></div>` : null}
</section>
`;
}

/** No line ends between a figure and its unit. */
function unbroken(sentence: string): string {
  return sentence
    .replace(/(\d) (?=(?:[kMGT] )?(?:packets|ns|µs|ms|s|bytes|[KMGT]iB|×|%)(?![a-z]))/g, '$1\u00a0')
    .replace(/(\u00a0[kMGT]) /g, '$1\u00a0');
}

/** All checks of all variants, those that failed first. */
export function validityPart({ groups, limits, notes }: BenchDocument): Html {
  const rows = groups.flatMap((group) =>
    group.variants.flatMap((variant) => {
      const where = groups.length > 1 ? html`<small>${group.title}</small>` : null;
      const apart = variant.samples.filter(({ checks }) => checks.some(({ ok }) => !ok));
      const reasons = [
        ...new Set(apart.flatMap(({ checks }) => checks.map(({ name, detail }) => `${name}: ${detail}`))),
      ];
      const blocks = rangesText(apart.map(({ block }) => block));
      return [
        ...variant.checks.map(({ name, ok, detail }) => ({
          variant,
          where,
          name,
          ok,
          detail,
          isSample: false,
        })),
        ...(apart.length === 0
          ? []
          : [
              {
                ...{ variant, where, name: 'samples', ok: false, isSample: true },
                detail: `${counted(apart.length, 'sample')} set aside, in block ${blocks}: ${reasons.join('; ')}`,
              },
            ]),
      ];
    }),
  );
  const failed = [
    ...rows.filter(({ ok, isSample }) => !ok && !isSample),
    ...rows.filter(({ isSample }) => isSample),
  ];
  const held = rows.filter(({ ok }) => ok);
  const table = (some: typeof rows): Html =>
    html`<div class="scroll"><table><thead><tr><th scope="col">Variant</th><th scope="col">Check</th><th scope="col">Holds</th><th scope="col">What was seen</th></tr></thead>
<tbody>${some.map(
      ({ variant, where, name, ok, detail, isSample }) =>
        html`<tr${ok || isSample ? null : html` class="invalid"`}><th scope="row">${titleOf(variant)}${where}</th><td>${name}</td><td>${ok ? 'yes' : html`<b class="bad">${isSample ? 'not always' : 'no'}</b>`}</td><td>${detail}</td></tr>
`,
    )}</tbody></table></div>`;
  return html`<section id="validity"><h2>Validity</h2>
<p class="lead">What was checked before and while it was measured. A variant of which something does not hold has no result.</p>
<div class="card">
${failed.length === 0 ? html`<p>${held.length === 0 ? 'Nothing was checked.' : `All ${counted(held.length, 'check')} held.`}</p>` : html`<h3>What did not hold</h3>${table(failed)}`}
${held.length === 0 ? null : html`<details><summary>${counted(held.length, 'check')} that held</summary>${table(held)}</details>`}
</div>
${limitsPart(limits)}
${
  notes.length === 0
    ? null
    : html`<div class="card" id="notes"><h3>What the figures do not say</h3><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul></div>`
}
</section>
`;
}

function limitsPart(limits: BenchDocument['limits']): Html | null {
  if (limits.length === 0) return null;
  return html`<div class="card" id="limits"><h3>What the generators can do</h3>
<div class="scroll"><table><thead><tr><th scope="col">Generator</th><th scope="col" class="n">Limit</th><th scope="col">How it was measured</th></tr></thead>
<tbody>${limits.map(
    ({
      name,
      title,
      value,
      unit,
      detail,
    }) => html`<tr><th scope="row">${title === '' ? name : title}</th><td class="n" title="${String(value)}">${quantity(value, unit)}</td><td>${detail}</td></tr>
`,
  )}</tbody></table></div></div>`;
}

export function environmentPart(document: BenchDocument): Html {
  const { kernel, machine, during, tools, interfaces, placement, commands } = document.environment;
  const percent = (share: number) => `${numberText(share * 100)} %`;
  const memory = scaleFor('bytes', [machine.memory]);
  const pairs = (entries: readonly (readonly [string, string])[]) =>
    html`<dl class="pairs">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
  return html`<section id="environment"><h2>Environment</h2>
<div class="card">
${pairs([
  ['Kernel', `${kernel.release}, ${kernel.version}, ${kernel.architecture}`],
  [
    'CPU',
    `${machine.cpu}, ${countText(machine.cpus)} online${machine.isVirtual === null ? '' : machine.isVirtual ? ', in a virtual machine' : ', not in a virtual machine'}`,
  ],
  ['Memory', `${scaled(machine.memory, memory)} ${memory.unit}`],
  ['Load', `${during.loadBefore.toFixed(2)} before, ${during.loadAfter.toFixed(2)} after`],
  ['Time stolen', `${percent(during.steal)} of all CPUs, by the hypervisor`],
  [
    'Others',
    during.others === null
      ? 'not known'
      : `${percent(during.others)} of all CPUs, by processes outside the benchmark`,
  ],
  ['netkit', document.netkit],
])}
${kernel.settings.length === 0 ? null : html`<h4>Kernel settings</h4>${pairs(kernel.settings.map(({ name, value }) => [name, value] as const))}`}
${tools.length === 0 ? null : html`<h4>Tools</h4>${pairs(tools.map(({ name, version }) => [name, version] as const))}`}
${placement.length === 0 ? null : html`<h4>Placement</h4>${pairs(placement.map(({ what, cpus }) => [what, cpus.length === 0 ? 'any CPU' : `CPU ${rangesText(cpus)}`] as const))}`}
${
  interfaces.length === 0
    ? null
    : html`<h4>Interfaces</h4><div class="scroll"><table><thead><tr><th scope="col">Interface</th><th scope="col">Driver</th><th scope="col">Mode</th><th scope="col">Offloads</th></tr></thead><tbody>${interfaces.map(
        ({ ifname, driver, mode, offloads }) =>
          html`<tr><th scope="row">${ifname}</th><td>${driver}</td><td>${mode}</td><td>${offloads.length === 0 ? 'none' : offloads.join(', ')}</td></tr>`,
      )}</tbody></table></div>`
}
</div>
<div class="card"><h3>To measure it again</h3>
<pre>${document.command}</pre>
${commands.length === 0 ? null : html`<details><summary>What was run to set it up: ${counted(commands.length, 'command')}</summary><pre>${commands.join('\n')}</pre></details>`}
</div></section>
`;
}
