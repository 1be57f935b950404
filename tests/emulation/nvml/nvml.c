/* A libnvidia-ml.so.1 that knows nothing itself: each call goes to the Unix socket that the
 * environment names, where tests/emulation/nvml/machine.py answers for a machine.
 *
 * Request: name (64 bytes), GPU in NVML's order (u32), size (u32), the caller's buffer.
 * Answer: return code (i32), size (u32), what the buffer becomes. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { UNKNOWN = 999 };

static int exchange(int fd, char *data, size_t size, ssize_t (*step)(int, char *, size_t)) {
    while (size) {
        ssize_t done = step(fd, data, size);
        if (done <= 0)
            return 0;
        data += done;
        size -= (size_t)done;
    }
    return 1;
}

static ssize_t out(int fd, char *data, size_t size) { return send(fd, data, size, MSG_NOSIGNAL); }
static ssize_t in(int fd, char *data, size_t size) { return recv(fd, data, size, 0); }

static int call(const char *name, uint32_t gpu, void *buffer, uint32_t size) {
    struct {
        char name[64];
        uint32_t gpu, size;
    } request = {.gpu = gpu, .size = size};
    struct {
        int32_t code;
        uint32_t size;
    } answer = {UNKNOWN, 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("FAKE_NVML_SOCKET");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(request.name, name, sizeof request.name - 1);
    strncpy(address.sun_path, path ? path : "", sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) ||
        !exchange(fd, (char *)&request, sizeof request, out) || !exchange(fd, buffer, size, out) ||
        !exchange(fd, (char *)&answer, sizeof answer, in) || answer.size > size ||
        !exchange(fd, buffer, answer.size, in))
        answer.code = UNKNOWN;
    close(fd);
    return answer.code;
}

#define SYSTEM(name) \
    int name(void *buffer) { return call(#name, 0, buffer, SIZE_##name); }
#define DEVICE(name) \
    int name(void *gpu, void *buffer) { \
        return call(#name, (uint32_t)(uintptr_t)gpu - 1, buffer, SIZE_##name); \
    }
#define TEXT(name) \
    int name(void *gpu, char *buffer, unsigned size) { \
        return call(#name, (uint32_t)(uintptr_t)gpu - 1, buffer, size); \
    }

enum {
    SIZE_nvmlDeviceGetCount_v2 = 4,
    SIZE_nvmlSystemGetConfComputeCapabilities = 8,
    SIZE_nvmlSystemGetConfComputeState = 12,
    SIZE_nvmlSystemGetConfComputeSettings = 20,
    SIZE_nvmlSystemGetConfComputeGpusReadyState = 4,
    SIZE_nvmlDeviceGetArchitecture = 4,
    SIZE_nvmlDeviceGetPciInfo_v3 = 68,
    SIZE_nvmlDeviceGetConfComputeGpuCertificate = 8 + 0x1000 + 0x1400,
    SIZE_nvmlDeviceGetConfComputeGpuAttestationReport = 12 + 32 + 0x2000 + 0x1000,
};

int nvmlInitWithFlags(unsigned flags) { return call("nvmlInitWithFlags", 0, &flags, sizeof flags); }
int nvmlShutdown(void) { return call("nvmlShutdown", 0, NULL, 0); }
int nvmlSystemGetDriverVersion(char *buffer, unsigned size) {
    return call("nvmlSystemGetDriverVersion", 0, buffer, size);
}
SYSTEM(nvmlDeviceGetCount_v2)
SYSTEM(nvmlSystemGetConfComputeCapabilities)
SYSTEM(nvmlSystemGetConfComputeState)
SYSTEM(nvmlSystemGetConfComputeGpusReadyState)
SYSTEM(nvmlSystemGetConfComputeSettings)
DEVICE(nvmlDeviceGetArchitecture)
DEVICE(nvmlDeviceGetPciInfo_v3)
DEVICE(nvmlDeviceGetConfComputeGpuCertificate)
DEVICE(nvmlDeviceGetConfComputeGpuAttestationReport)
TEXT(nvmlDeviceGetUUID)
TEXT(nvmlDeviceGetName)

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **gpu) {
    *gpu = (void *)(uintptr_t)(index + 1);
    return call("nvmlDeviceGetHandleByIndex_v2", index, NULL, 0);
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, void **gpu) {
    char buffer[32] = "";
    uint32_t index = 0;
    strncpy(buffer, bus_id, sizeof buffer - 1);
    int code = call("nvmlDeviceGetHandleByPciBusId_v2", 0, buffer, sizeof buffer);
    memcpy(&index, buffer, sizeof index);
    *gpu = (void *)(uintptr_t)(index + 1);
    return code;
}
