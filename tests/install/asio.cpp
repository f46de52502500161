// The user's Asio, compiled apart as Asio's documentation says.
#include <asio/impl/src.hpp>
