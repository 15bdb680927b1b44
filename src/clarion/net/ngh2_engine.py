"""The HTTP/2 engine on libnghttp2. Nothing else touches `ngh2`, whose interface may still change."""

import ngh2
from ngh2 import DataReceived, ResponseReceived, StreamClosed

from clarion.net.engines import (
    CONNECTION_WINDOW,
    REFUSED_STREAM,
    STREAM_WINDOW,
    UNLIMITED,
    EngineClosed,
    Fields,
    Listener,
)

_CONFIGURATION = ngh2.Configuration(
    # Frames for streams we cancelled count as glitches; the default limit ends a healthy connection.
    glitch_rate_limit=(1 << 60, 1 << 40),
)
_SETTINGS = {ngh2.Setting.ENABLE_PUSH: 0, ngh2.Setting.INITIAL_WINDOW_SIZE: STREAM_WINDOW}


class Ngh2Engine:
    """One client connection in libnghttp2."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._most_streams = UNLIMITED
        self._wire = ngh2.Connection(ngh2.Role.CLIENT, _CONFIGURATION)
        self._wire.initiate_connection(_SETTINGS)
        self._wire.set_local_window_size(CONNECTION_WINDOW)

    def post(self, fields: Fields, body: bytes) -> int:
        wire = self._wire
        try:
            if not body:
                return wire.send_request(fields, end_stream=True)
            stream = wire.send_request(fields)
            wire.send_data(stream, body, end_stream=True)
        except ngh2.NGH2Error as error:
            raise EngineClosed(str(error)) from error
        return stream

    def reset(self, stream: int) -> None:
        try:
            self._wire.reset_stream(stream, ngh2.ErrorCode.CANCEL)
        except ngh2.StreamUnavailableError:
            return
        except ngh2.NGH2Error as error:
            raise EngineClosed(str(error)) from error

    def ping(self) -> None:
        try:
            self._wire.ping()
        except ngh2.NGH2Error as error:
            raise EngineClosed(str(error)) from error

    def close(self) -> None:
        try:
            self._wire.terminate_connection()
        except ngh2.NGH2Error as error:
            raise EngineClosed(str(error)) from error

    def receive(self, data: bytes) -> None:
        try:
            self._wire.receive_data(data)
        except ngh2.NGH2Error as error:
            raise EngineClosed(str(error)) from error
        finally:
            self._tell()

    def output(self) -> bytes:
        try:
            return self._wire.data_to_send()
        except ngh2.NGH2Error as error:
            raise EngineClosed(str(error)) from error
        finally:
            # Requests queued when a GOAWAY came are given back only here.
            self._tell()

    def _tell(self) -> None:
        listener = self._listener
        for event in self._wire.events():
            if type(event) is DataReceived:
                listener.data(event.stream_id, event.data, event.end_stream)
            elif type(event) is StreamClosed:
                listener.closed(event.stream_id, event.error_code, _refused(event))
            elif type(event) is ResponseReceived:
                listener.headers(event.stream_id, event.headers, event.end_stream)
            else:
                self._tell_rare(event)

    def _tell_rare(self, event: ngh2.Event) -> None:
        match event:
            case ngh2.TrailersReceived():
                self._listener.data(event.stream_id, b"", True)
            case ngh2.SettingsReceived():
                self._most_streams = event.settings.get(
                    ngh2.Setting.MAX_CONCURRENT_STREAMS, self._most_streams
                )
                self._listener.settings(self._most_streams)
            case ngh2.GoAwayReceived():
                self._listener.going_away()
            case ngh2.ConnectionClosed():
                self._listener.finished()


def _refused(event: StreamClosed) -> bool:
    """Refused by the peer, or never sent because a GOAWAY came first; a malformed request is neither."""
    if event.local_error is not None:
        return not isinstance(event.local_error, ngh2.StreamProtocolError)
    return event.error_code == REFUSED_STREAM
