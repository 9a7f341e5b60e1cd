"""Takes out of the built stack what the emulator has no resources for: it would refuse the whole stack. Of
backups, the vaults, the plan and the roles stay, and so does all that others ask of them. Nobody asks
anything of the state machines for large tables, which go as a whole."""

import pathlib
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

built = pathlib.Path(sys.argv[1])
path = built / "template.yaml"
template = yaml_parse(path.read_text())
for name in ["Restoring", "Verify"]:
    del template["Resources"][name]
path.write_text(yaml_dump(template))

path = built / "Backup" / "template.yaml"
template = yaml_parse(path.read_text())
resources = template["Resources"]
for name, resource in list(resources.items()):
    kind = resource["Type"]
    if kind == "AWS::Backup::LogicallyAirGappedBackupVault":
        # An ordinary vault in its place, so that its name and ARN are there.
        resource["Type"] = "AWS::Backup::BackupVault"
        resource["Properties"] = {"BackupVaultName": "air-gapped"}
    elif kind == "AWS::Backup::BackupSelection" or kind.startswith("AWS::Backup::RestoreTesting"):
        del resources[name]
for name in list(template["Outputs"]):
    if name.startswith("RestoreTesting"):
        del template["Outputs"][name]
path.write_text(yaml_dump(template))
