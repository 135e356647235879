"""Parts as a CycloneDX document. Pure."""

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from ops.sbom.parts import Part

LICENCES = LicenseFactory()


def document(stack: str, parts: list[Part]) -> str:
    """CycloneDX 1.6 as JSON. Raises ``ValueError`` where the result does not fit the standard's own schema."""
    bom = Bom()
    bom.metadata.component = Component(name=f"zero-exposure-{stack}", type=ComponentType.APPLICATION, bom_ref="stack")
    for part in parts:
        bom.components.add(_component(part))
    bom.register_dependency(bom.metadata.component, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem:
        raise ValueError(str(problem))
    return text + "\n"


def _component(part: Part) -> Component:
    kind = ComponentType.CONTAINER if part.kind == "image" else ComponentType.LIBRARY
    address = _purl(part)
    return Component(
        name=part.name,
        type=kind,
        version=part.version or None,
        purl=address,
        bom_ref=str(address),
        licenses=[LICENCES.make_from_string(part.licence)] if part.licence else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.digest.removeprefix("sha256:"))]
        if part.digest
        else [],
        properties=[Property(name="zero-exposure:used-by", value=node) for node in part.used_by],
    )


def _purl(part: Part) -> PackageURL:
    """https://github.com/package-url/purl-spec: docker, deb and pypi."""
    if part.kind == "python":
        return PackageURL("pypi", name=part.name, version=part.version)
    if part.kind == "debian":
        vendor = "cloudflare" if part.name == "cloudflared" else "debian"
        return PackageURL("deb", namespace=vendor, name=part.name, qualifiers={"distro": part.used_by[0]})
    namespace, _, name = part.name.rpartition("/")
    return PackageURL("docker", namespace=namespace or None, name=name, version=part.digest or part.version)
