"""``[vault]``: where providers find secrets; Pollinate's names.

What Pollinate had no option for is in ``[firstlight]``, named ``vault_…``.
"""

from oslo_config import cfg

GROUP = "vault"

OPTIONS = [
    (
        GROUP,
        [
            cfg.URIOpt(
                "url",
                schemes=["http", "https"],
                help="Where Vault, or OpenBao, is; unset: providers that need secrets cannot run.",
            ),
            cfg.StrOpt(
                "token",
                secret=True,
                help="A token to read with. It is renewed while it can be. Wins over `role`.",
            ),
            cfg.StrOpt(
                "role",
                help="The role to log in with by Kubernetes' method, if there is no token.",
            ),
            cfg.StrOpt(
                "path",
                help="The secret that holds all keys, in a key-value engine of version 2.",
            ),
            cfg.FloatOpt(
                "timeout",
                default=10,
                min=0.1,
                help="Seconds for one call. The time that the request has left counts as well.",
            ),
        ],
    ),
    (
        "firstlight",
        [
            cfg.StrOpt(
                "vault_mount", default="secret", help="Where that key-value engine is mounted."
            ),
            cfg.StrOpt(
                "vault_kubernetes_mount",
                default="kubernetes",
                help="Where Kubernetes' method of logging in is mounted.",
            ),
            cfg.StrOpt(
                "vault_service_account_token",
                default="/var/run/secrets/kubernetes.io/serviceaccount/token",
                help="The file with the pod's token. It is read at each login: Kubernetes changes "
                "it.",
            ),
            cfg.StrOpt("vault_namespace", help="The namespace, for a Vault that has them."),
            cfg.StrOpt(
                "vault_cafile", help="Certificates to trust; unset: those that Python's are."
            ),
        ],
    ),
]
