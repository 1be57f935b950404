/* Virtual sockets for machines that have none, loaded by LD_PRELOAD: a connection to a port of the
 * host goes to a Unix socket in the folder that EMULATED_VSOCK names. Nothing leaves the machine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

int socket(int domain, int type, int protocol) {
    int (*real)(int, int, int) = dlsym(RTLD_NEXT, "socket");
    if (domain != AF_VSOCK) return real(domain, type, protocol);
    return real(AF_UNIX, type, 0);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    if (address->sa_family != AF_VSOCK) return real(fd, address, length);
    const struct sockaddr_vm *vm = (const struct sockaddr_vm *)address;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s/%u.%u", getenv("EMULATED_VSOCK"), vm->svm_cid,
             vm->svm_port);
    int result = real(fd, (struct sockaddr *)&to, sizeof to);
    /* As virtio does where nobody listens. */
    if (result < 0 && (errno == ENOENT || errno == ECONNREFUSED)) errno = ECONNRESET;
    return result;
}
