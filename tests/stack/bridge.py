"""Takes out of the built stack of backups what the emulator has no resources for: it would refuse the
whole stack. The vaults, the plan and the roles stay, and so does all that others ask of them."""

import pathlib
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

path = pathlib.Path(sys.argv[1]) / "Backup" / "template.yaml"
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
