import { created, image, imageType, type ManifestParts, oci, titled } from './manifest-parts.ts'

const empty = 'application/vnd.oci.empty.v1+json'

/** What is kept in registries besides images: signatures, attestations, charts, modules, models. By their names. */
export const artifactSeeds = ({ describe, emptyConfig }: ManifestParts): readonly [string, object][] => {
  const subject = describe(imageType, 2)
  const artifact = (
    name: string,
    configType: string,
    layerTypes: readonly string[],
    more: object = {},
  ): [string, object] => [
    name,
    image(
      configType === empty ? emptyConfig : describe(configType, 1),
      layerTypes.map((type, one) => describe(type, one + 1, titled(`${name}.${one}`))),
      more,
    ),
  ]
  return [
    artifact('cosign signature', `${oci}.config.v1+json`, ['application/vnd.dev.cosign.simplesigning.v1+json']),
    artifact('cosign attestation', `${oci}.config.v1+json`, ['application/vnd.dsse.envelope.v1+json']),
    artifact('cosign bundle', empty, ['application/vnd.dev.sigstore.bundle.v0.3+json'], {
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      subject,
      annotations: { ...created, 'dev.sigstore.bundle.content': 'dsse-envelope' },
    }),
    artifact('Notation signature', 'application/vnd.cncf.notary.signature', ['application/jose+json'], {
      subject,
      annotations: { 'io.cncf.notary.x509chain.thumbprint#S256': '["ab"]' },
    }),
    artifact('SPDX', empty, ['application/spdx+json'], { artifactType: 'application/spdx+json', subject }),
    artifact('CycloneDX', empty, ['application/vnd.cyclonedx+json'], {
      artifactType: 'application/vnd.cyclonedx+json',
      subject,
    }),
    artifact('BuildKit cache', 'application/vnd.buildkit.cacheconfig.v0', [
      `${oci}.layer.v1.tar+zstd`,
      `${oci}.layer.v1.tar+gzip`,
    ]),
    artifact('BuildKit provenance', `${oci}.config.v1+json`, ['application/vnd.in-toto+json'], { subject }),
    artifact(
      'Helm',
      'application/vnd.cncf.helm.config.v1+json',
      ['application/vnd.cncf.helm.chart.content.v1.tar+gzip'],
      { annotations: { ...created, 'org.opencontainers.image.version': '1.2.3+build' } },
    ),
    artifact('Helm with provenance', 'application/vnd.cncf.helm.config.v1+json', [
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      'application/vnd.cncf.helm.chart.provenance.v1.prov',
    ]),
    artifact('Wasm', 'application/vnd.wasm.config.v0+json', ['application/wasm']),
    artifact('Wasm, old', 'application/vnd.wasm.config.v1+json', ['application/vnd.wasm.content.layer.v1+wasm']),
    artifact('Wasm in an image', `${oci}.config.v1+json`, [`${oci}.layer.v1.tar+gzip`], {
      annotations: { 'module.wasm.image/variant': 'compat' },
    }),
    artifact('Flux', 'application/vnd.cncf.flux.config.v1+json', ['application/vnd.cncf.flux.content.v1.tar+gzip'], {
      annotations: { ...created, 'org.opencontainers.image.source': 'ssh://git@example/x' },
    }),
    artifact('policy bundle', 'application/vnd.cncf.openpolicyagent.config.v1+json', [
      'application/vnd.cncf.openpolicyagent.policy.layer.v1+rego',
      'application/vnd.cncf.openpolicyagent.data.layer.v1+json',
    ]),
    artifact('Singularity', 'application/vnd.sylabs.sif.config.v1+json', ['application/vnd.sylabs.sif.layer.v1.sif']),
    artifact('Tekton bundle', `${oci}.config.v1+json`, [`${oci}.layer.v1.tar+gzip`], {
      annotations: { 'dev.tekton.image.apiVersion': 'v1beta1' },
    }),
    artifact('Falco rules', 'application/vnd.cncf.falco.rulesfile.config.v1+json', [
      'application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz',
    ]),
    artifact('ORAS, empty config', empty, ['application/vnd.oci.image.layer.v1.tar', 'text/plain'], {
      artifactType: 'application/vnd.acme.rocket.config',
    }),
    artifact('ORAS, no layer but the empty one', empty, [empty], { artifactType: 'application/vnd.example+type' }),
    artifact('machine', empty, ['application/zstd'], {
      artifactType: 'application/vnd.podman.disk',
      annotations: { disktype: 'qemu' },
    }),
    artifact(
      'Zarf',
      'application/vnd.zarf.config.v1+json',
      Array.from({ length: 12 }, () => 'application/vnd.zarf.layer.v1.blob'),
    ),
    artifact('model', 'application/vnd.cncf.model.config.v1+json', [
      'application/vnd.cncf.model.weight.v1.tar',
      'application/vnd.cncf.model.doc.v1.tar',
    ]),
    artifact('VEX', empty, ['application/vex+json'], { artifactType: 'application/vex+json', subject }),
    artifact('Trivy database', 'application/vnd.aquasec.trivy.config.v1+json', [
      'application/vnd.aquasec.trivy.db.layer.v1.tar+gzip',
    ]),
    artifact('Terraform module', 'application/vnd.opentofu.modulepkg', ['archive/zip'], {
      artifactType: 'application/vnd.opentofu.modulepkg',
    }),
    artifact('CNAB', 'application/vnd.cnab.config.v1+json', ['application/vnd.cnab.bundle.v1+json']),
    artifact('dev container', 'application/vnd.devcontainers', ['application/vnd.devcontainers.layer.v1+tar'], {
      annotations: { 'dev.containers.metadata': '{"id":"go"}' },
    }),
  ]
}
