from .authors import convert_checkpoint, convert_keys
from .publish import publish_checkpoint

__all__ = ['convert_checkpoint', 'convert_keys', 'publish_checkpoint']
