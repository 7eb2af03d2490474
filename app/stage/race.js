// How long both networks took for these very answers: lanes to scale, and a run at real pace or slower.

class Race {
  constructor(root) {
    this.section = root.querySelector(".race");
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.again = this.section.querySelector(".again");
    this.again.hidden = this.still;
    this.again.addEventListener("click", () => this.run());
  }

  /** full, sub: findings, the second one only when it is known. slowed: how many times slower than real; measured: how,
   * in words. */
  show({ full, sub, slowed, measured }) {
    this.section.querySelector(".hint").textContent = measured;
    this.section.classList.toggle("waiting", !sub);
    if (!sub) return;
    written(this.section.querySelector(".pace"), sub.pace);
    const longest = Math.max(full.milliseconds, sub.milliseconds);
    for (const [who, { milliseconds }] of Object.entries({ full, sub })) {
      const lane = this.section.querySelector(`.lane.${who}`);
      lane.style.setProperty("--share", milliseconds / longest);
      lane.querySelector(".took").textContent = `${milliseconds} ms`;
    }
    const isNew = full !== this.full || sub !== this.sub;
    [this.full, this.sub, this.lasts] = [full, sub, longest * slowed];
    if (isNew) this.run();
  }

  run() {
    if (this.still) return;
    for (const bar of this.section.querySelectorAll(".done")) {
      for (const running of bar.getAnimations()) running.cancel();
      bar.animate({ clipPath: ["inset(0 100% 0 0)", "inset(0)"] }, this.lasts);
    }
  }
}
