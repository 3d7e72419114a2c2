#!/usr/bin/python
"""A module that has something to say beside its result."""
from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec=dict(warnings=dict(type="list", elements="str", default=[]), deprecations=dict(type="list", elements="str", default=[])), supports_check_mode=True)
    for text in module.params["warnings"]:
        module.warn(text)
    for text in module.params["deprecations"]:
        module.deprecate(text, version="2.30", collection_name="ansible.builtin")
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
