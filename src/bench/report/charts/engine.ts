/** The parts of echarts that reports are drawn with; loaded only when one is. */
import { CustomChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

echarts.use([CustomChart, GridComponent, SVGRenderer]);

/** An empty picture in memory, in pixels. The taker disposes of it. */
export function init(width: number, height: number): echarts.ECharts {
  return echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
}
