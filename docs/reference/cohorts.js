// The cohorts of docs/reference/cohorts.md in JavaScript: reads the test vectors and prints what differs.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");

function bucket(salt, key) {
  const digest = createHash("sha256").update(salt + "\0" + key, "utf8").digest("hex");
  return parseInt(digest.slice(0, 12), 16) % 10000;
}

function given(split, key) {
  const cohorts = split.cohorts;
  if (!cohorts) return null;
  if (cohorts.baseline.includes(key)) return "baseline";
  if (cohorts.candidate.includes(key) && split.candidate_bp > 0) return "candidate";
  return bucket(split.service + "/holdout", key) < cohorts.holdout_bp ? "baseline" : null;
}

function drawn(split, key) {
  const place = bucket(split.salt, key);
  if (place < split.candidate_bp) return "candidate";
  return place >= 10000 - split.control_bp ? "control" : "baseline";
}

const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
const wrong = [];
for (const one of vectors.buckets) {
  if (bucket(one.salt, one.key) !== one.bucket) wrong.push(one);
}
for (const one of vectors.mirrored) {
  if (bucket(one.salt + "/mirror", one.request_id) < one.mirror_bp !== one.mirrored) wrong.push(one);
}
for (const { split, keys } of vectors.arms) {
  for (const [key, wanted] of Object.entries(keys)) {
    const arm = given(split, key);
    if ((arm ?? drawn(split, key)) !== wanted.arm || (arm === null) !== wanted.drawn) wrong.push({ split, key, wanted });
  }
}
console.log(JSON.stringify(wrong));
