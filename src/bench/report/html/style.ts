/** How a report looks: on light and dark ground, on a page, a telephone and on paper. */
import { pictureGap } from '../charts/chart.js';
import { declarations } from '../palette.js';

/** Narrower screens get the pictures that are drawn for them. */
export const narrowBelow = 680;

export function styleSheet(): string {
  return `
:root{color-scheme:light;${declarations('light')}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${declarations('dark')}}}
:root[data-theme=dark]{color-scheme:dark;${declarations('dark')}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,Cantarell,sans-serif;overflow-wrap:break-word}
main,header>div,footer{max-width:960px;margin:0 auto;padding:0 24px}
header{background:var(--card);border-bottom:1px solid var(--rule);padding:28px 0 20px}
header .top{display:flex;gap:12px;align-items:center;justify-content:space-between}
.eyebrow{margin:0;color:var(--soft);font-size:14px;letter-spacing:.02em}
h1{margin:6px 0 12px;font-size:30px;line-height:1.2;letter-spacing:-.01em;text-wrap:balance}
h2{margin:0 0 4px;font-size:23px;line-height:1.25;letter-spacing:-.005em}
h3{margin:0;font-size:17px;line-height:1.35}
h4{margin:20px 0 6px;font-size:15px}
p{margin:0 0 10px}
a{color:var(--link)}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
pre{margin:8px 0;padding:12px 14px;background:var(--page);border:1px solid var(--rule);border-radius:8px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:4px 22px;margin:0;padding:0;list-style:none;color:var(--soft);font-size:14px}
.facts b{color:var(--ink);font-weight:600}
button.theme{flex:none;font:inherit;font-size:14px;color:var(--ink);background:var(--page);border:1px solid var(--rule);border-radius:999px;padding:4px 14px;cursor:pointer}
button.theme:hover{border-color:var(--soft)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
nav{display:flex;flex-wrap:wrap;gap:2px 18px;margin:18px 0 0;font-size:14px}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
section{margin:28px 0}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:22px 26px;margin:16px 0}
.summary>ul{margin:0;padding-left:20px}
.summary>ul>li{margin:0 0 8px}
.summary>ul>li:first-child{font-size:19px;line-height:1.45;font-weight:600;list-style:none;margin-left:-20px;margin-bottom:12px;text-wrap:pretty}
.callout{background:var(--bad-ground);border:1px solid var(--bad);border-radius:10px;padding:12px 16px;margin:16px 0 0}
.callout p{margin:0;font-weight:600;color:var(--bad)}
.callout ul{margin:6px 0 0;padding-left:20px}
.lead{color:var(--soft);margin:0 0 4px}
figure{margin:0}
.card>:last-child{margin-bottom:0}
.card h3+ul:not(.legend){margin:8px 0 0;padding-left:20px}
figcaption{color:var(--soft);font-size:14px;line-height:1.5;margin-top:10px;max-width:76ch}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 6px;padding:0;list-style:none;font-size:13.5px;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:7px}
.legend svg{flex:none}
.pictures{display:grid;grid-template-columns:minmax(0,1fr);gap:14px ${pictureGap}px;margin-top:6px}
.pictures.columns-2{grid-template-columns:repeat(2,minmax(0,1fr))}
.pictures.columns-3{grid-template-columns:repeat(3,minmax(0,1fr))}
.pictures h4{margin:4px 0 0;font-weight:600;color:var(--soft);font-size:14px}
.picture svg{display:block;width:100%;height:auto;overflow:visible;font-size:13px;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,Cantarell,sans-serif}
.picture text{font-variant-numeric:tabular-nums}
.narrow{display:none}
.scroll{overflow-x:auto;margin:8px -4px;padding:0 4px}
table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.4}
th,td{padding:6px 10px;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
th:first-child,td:first-child{padding-left:0}
thead th{color:var(--soft);font-weight:600;font-size:13px;vertical-align:bottom}
th[scope=row]{font-weight:500;min-width:9em}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead th.n small{white-space:normal}
tr.invalid td,tr.invalid th{background:var(--bad-ground)}
tr.reference th{font-weight:700}
small{color:var(--soft);font-size:12.5px;font-weight:400}
th small,td small{display:block}
.verdict{white-space:nowrap;font-weight:600}
.verdict svg{margin-right:6px;vertical-align:-1px}
.bad{color:var(--bad)}
details{margin-top:14px}
summary{cursor:pointer;color:var(--link);font-size:14.5px}
details[open]>summary{margin-bottom:6px}
.samples td,.samples th{padding:3px 8px;font-size:12.5px}
.samples td.outlier{font-weight:700;text-decoration:underline;text-underline-offset:3px}
.samples td.wrong{color:var(--bad);text-decoration:line-through}
.pairs{display:grid;grid-template-columns:minmax(9em,max-content) minmax(0,1fr);gap:4px 20px;margin:0;font-size:14.5px}
.pairs dt{color:var(--soft)}
.pairs dd{margin:0;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:13.5px;padding-top:8px;padding-bottom:48px}
@media (max-width:${narrowBelow - 1}px){
main,header>div,footer{padding:0 16px}
header{padding:20px 0 16px}
h1{font-size:24px}
h2{font-size:20px}
.card{padding:16px 14px;border-radius:10px;margin:12px -6px}
.summary>ul>li:first-child{font-size:17px}
main .pictures.pictures{grid-template-columns:minmax(0,1fr)}
.wide{display:none}
.narrow{display:block}
th[scope=row]{min-width:13em}
.pairs{grid-template-columns:minmax(0,1fr);gap:0}
.pairs dd{margin-bottom:8px}
}
@media print{
@page{margin:14mm}
:root:root{color-scheme:light;${declarations('light')};--page:#fff}
html{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:11pt}
main,header>div,footer{max-width:none;padding:0}
header{padding:0 0 12px}
nav,button.theme,.download{display:none}
.card{border:0;border-top:1px solid var(--rule);border-radius:0;padding:12px 0;margin:8px 0}
figure,tr,.callout{break-inside:avoid}
h2,h3,thead{break-after:avoid}
.wide{display:block}
.narrow{display:none}
main .pictures.columns-2{grid-template-columns:repeat(2,minmax(0,1fr))}
main .pictures.columns-3{grid-template-columns:repeat(3,minmax(0,1fr))}
.scroll{overflow:visible}
table{font-size:9.5pt}
th,td{padding:4px 6px}
details:not([open]){display:none}
}
`.trim();
}

/** The switch between light and dark, which is remembered where the browser allows that. Everything else works without it. */
export const script = `
(function(){
var root=document.documentElement,button=document.querySelector('button.theme'),key='netkit-report-theme';
function kept(value){try{if(value===undefined)return localStorage.getItem(key);localStorage.setItem(key,value)}catch(error){}return null}
function isDark(){var set=root.getAttribute('data-theme');return set?set==='dark':matchMedia('(prefers-color-scheme: dark)').matches}
function show(){button.textContent=isDark()?'Light':'Dark';button.setAttribute('aria-label','Switch to '+(isDark()?'light':'dark')+' colours')}
var before=kept();
if(before==='dark'||before==='light')root.setAttribute('data-theme',before);
button.hidden=false;
button.addEventListener('click',function(){var next=isDark()?'light':'dark';root.setAttribute('data-theme',next);kept(next);show()});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change',show);
show();
var link=document.querySelector('a[data-blob]'),data=document.getElementById('document');
if(link&&data){link.href=URL.createObjectURL(new Blob([data.textContent],{type:'application/json'}));link.hidden=false}
})();
`.trim();
