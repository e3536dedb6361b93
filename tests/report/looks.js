// Questions to a page, asked in the browser by tests/report; each function answers with a list of faults or facts.
(() => {
  const visible = (node) => node.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const name = (node) => `${node.tagName}.${node.getAttribute("class") || ""}: ${node.textContent.trim().slice(0, 40)}`;

  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  // WCAG 2.2: relative luminance and contrast ratio.
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => {
      const v = c / 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const backdrop = (node) => {
    const rect = node.closest("g.box")?.querySelector("rect");
    if (node.ownerSVGElement && rect) return parse(getComputedStyle(rect).fill);
    for (let up = node; up; up = up.parentElement) {
      const colour = parse(getComputedStyle(up).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a > 0) throw new Error(`half transparent: ${name(up)}`);
    }
    throw new Error(`no background: ${name(node)}`);
  };
  const withText = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() && node.tagName !== "title" && node.tagName !== "STYLE" && visible(node)) found.add(node);
    }
    return [...found];
  };

  window.looks = {
    // Text with less contrast than AA asks for, as [ratio, what]; and how many texts were looked at.
    contrast: () => {
      const texts = withText().map((node) => {
        const style = getComputedStyle(node);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const fore = parse(node.ownerSVGElement ? style.fill : style.color);
        return { ratio: ratio(fore, backdrop(node)), least: large ? 3 : 4.5, what: name(node) };
      });
      return { count: texts.length, faults: texts.filter((t) => t.ratio < t.least).map((t) => `${t.ratio.toFixed(2)} ${t.what}`) };
    },
    // What sticks out of the window sideways, and drawn text that sticks out of its box.
    overflow: () => {
      const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      const out = withText().filter((node) => {
        const box = node.getBoundingClientRect();
        return !node.closest(".skip, thead") && box.width > 0 && (box.left < -0.5 || box.right > innerWidth + 0.5);
      });
      const cramped = [...document.querySelectorAll("svg g.box")].filter(visible).filter((group) => {
        const rect = group.querySelector("rect").getBBox();
        return [...group.querySelectorAll("text")].some((text) => text.getBBox().x + text.getBBox().width > rect.x + rect.width - 4);
      });
      return [...(wide > 0 ? [`the page is ${wide} px too wide`] : []), ...out.map(name), ...cramped.map(name)];
    },
    // Everything that the tab key should reach, in the order of the page.
    stops: () => [...document.querySelectorAll("a[href], summary, [tabindex='0']")].filter(visible).map(name),
    // What has the focus, and whether one sees that.
    focused: () => {
      const node = document.activeElement;
      const style = getComputedStyle(node);
      return { name: node === document.body ? "" : name(node), ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    },
  };
})();
