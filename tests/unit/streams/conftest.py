from tests.support.shop_stream import as_server, mark, shop, stream

__all__ = ["as_server", "mark", "shop", "stream"]
