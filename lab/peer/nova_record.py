"""Writes what Nova's metadata API needs to know of an instance into Nova's own database, through its objects.

nova_record.py NOVA_CONF UUID PROJECT USER_DATA    the instance is called as its UUID begins
"""
import base64
import sys

from nova import config, context, objects
from nova.network import model as network_model

conf, uuid, project, user_data = sys.argv[1:]
config.parse_args(["nova_record", "--config-file", conf])
objects.register_all()
admin = context.get_admin_context()
flavor = objects.Flavor(
    id=1, name="m1.tiny", flavorid="1", memory_mb=512, vcpus=1, root_gb=1, ephemeral_gb=0, swap=0, rxtx_factor=1.0,
    vcpu_weight=0, disabled=False, is_public=True, extra_specs={}, projects=[], description=None,
    created_at=None, updated_at=None, deleted_at=None, deleted=False,
)
instance = objects.Instance(
    admin, uuid=uuid, project_id=project, user_id="u", display_name=uuid[:8], hostname=uuid[:8], host="host", node="host", compute_id=1,
    image_ref="", launch_index=0, reservation_id="r-lab", key_name=None, availability_zone="nova", memory_mb=512, vcpus=1,
    root_gb=1, ephemeral_gb=0, instance_type_id=1, metadata={"made": "by hand"}, system_metadata={}, flavor=flavor,
    user_data=base64.b64encode(user_data.encode()).decode(),
)
instance.create()
cache = objects.InstanceInfoCache(admin, instance_uuid=uuid, network_info=network_model.NetworkInfo([]))
cache.save()
