"""Which writer the operator chose, and whether it can work."""

import shutil

from keystoneauth1 import loading
from nova import exception, service_auth
from openstack.config import cloud_region
from openstack.connection import Connection
from oslo_config import cfg
from oslo_log import log as logging

from firstlight_dpm.compute.config_drives.contract import DriveFailed, DriveRefused, Writer
from firstlight_dpm.compute.config_drives.volumes import Volumes

LOG = logging.getLogger(__name__)

_LEAST = 30  # seconds for a volume to be made: Nova's retries may be none
_SILENCE = 120  # seconds for an answer, unless [cinder] timeout says otherwise: it may be for ever


def configured(conf: cfg.ConfigOpts) -> Writer | None:
    """The writer that the operator chose; None: no config drives are made here.

    Raises:
        InvalidConfiguration: with what to change.
    """
    if not conf.dpm.config_drive_writer:
        return None
    _check(conf)
    pause = max(conf.block_device_allocate_retries_interval, 1)
    volumes = Volumes(
        _cloud(conf),
        conf.dpm.config_drive_volume_type,
        patience=max(conf.block_device_allocate_retries * pause, _LEAST),
        pause=pause,
    )
    try:
        volumes.check()
    except DriveRefused as error:
        raise exception.InvalidConfiguration(str(error)) from error
    except DriveFailed as error:
        # Either may be back before a server wants a drive.
        LOG.warning("config drives cannot be written now: %s", error)
    return volumes


def _check(conf: cfg.ConfigOpts) -> None:
    said = f"[dpm] config_drive_writer is {conf.dpm.config_drive_writer}, but"
    if not conf.cinder.auth_type:
        raise exception.InvalidConfiguration(
            f"{said} nobody is said to own the volumes: set auth_type and what belongs to it in "
            "[cinder], as in [neutron]"
        )
    if conf.config_drive_format != "iso9660":
        raise exception.InvalidConfiguration(
            f"{said} config_drive_format is {conf.config_drive_format}, which Nova makes as root "
            "only: set it to iso9660"
        )
    if not shutil.which(conf.mkisofs_cmd):
        raise exception.InvalidConfiguration(
            f"{said} there is no program {conf.mkisofs_cmd}: install genisoimage, or set "
            "mkisofs_cmd to one that takes the same arguments"
        )


def _cloud(conf: cfg.ConfigOpts) -> Connection:
    """As ``[cinder]``'s user, where Nova's own options say that Cinder and Glance are."""
    user = loading.load_auth_from_conf_options(conf, "cinder")
    # Cinder lets services take an attachment away without asking Nova, which knows of none.
    auth = service_auth.get_service_user_token_auth_plugin(None, user_auth=user)
    session = loading.load_session_from_conf_options(conf, "cinder", auth=auth)
    if session.timeout is None:
        session.timeout = _SILENCE
    template = conf.cinder.endpoint_template or ""
    where = {
        "block_storage_interface": conf.cinder.catalog_info.rpartition(":")[2],
        # Without the project that may be at its end: Cinder does not need it.
        "block_storage_endpoint_override": template.partition("/%(")[0],
        "connect_retries": conf.cinder.http_retries,
        "image_interface": conf.glance.valid_interfaces,
        "image_region_name": conf.glance.region_name,
        "image_endpoint_override": conf.glance.endpoint_override,
    }
    said = {name: value for name, value in where.items() if value}
    region = cloud_region.from_session(session, region_name=conf.cinder.os_region_name, **said)
    return Connection(config=region)
