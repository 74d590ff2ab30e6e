// Opening CUDA's libraries. SPDX-License-Identifier: Apache-2.0
#include "ccuda_internal.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Newest first; a library of another major version has other structures.
static const char *const names[CCUDA_LIBRARY_COUNT][3] = {
    {"libcuda.so.1", NULL, NULL},
    {"libnvrtc.so.13", "libnvrtc.so.12", NULL},
    {"libcublasLt.so.13", "libcublasLt.so.12", NULL},
    {"libnccl.so.2", NULL, NULL},
};

static struct {
    void *handle;
    int tried;
    char path[1024];
    char problem[1024];
} libraries[CCUDA_LIBRARY_COUNT];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int try_open(ccuda_library library, const char *folder, size_t length, const char *name) {
    char path[1024];
    int written = length == 0
        ? snprintf(path, sizeof path, "%s", name)
        : snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, name);
    if (written < 0 || (size_t)written >= sizeof path) return 0;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        // The first reason is the system's own; a file that is there but broken is worth more.
        if (!libraries[library].problem[0] || (reason && !strstr(reason, "No such file")))
            snprintf(
                libraries[library].problem, sizeof libraries[library].problem, "%s",
                reason ? reason : name);
        return 0;
    }
    libraries[library].handle = handle;
    snprintf(libraries[library].path, sizeof libraries[library].path, "%s", path);
    libraries[library].problem[0] = 0;
    return 1;
}

static int open_anywhere(ccuda_library library, const char *folders) {
    for (int i = 0; i < 3 && names[library][i]; ++i)
        if (try_open(library, NULL, 0, names[library][i])) return 1;
    for (const char *start = folders; start && *start;) {
        const char *end = strchr(start, ':');
        size_t length = end ? (size_t)(end - start) : strlen(start);
        for (int i = 0; length > 0 && i < 3 && names[library][i]; ++i)
            if (try_open(library, start, length, names[library][i])) return 1;
        start = end ? end + 1 : NULL;
    }
    return 0;
}

int ccuda_open(ccuda_library library, const char *folders) {
    pthread_mutex_lock(&lock);
    if (!libraries[library].tried) {
        libraries[library].tried = 1;
        open_anywhere(library, folders);
    }
    int status = libraries[library].handle ? 0 : CCUDA_ABSENT;
    pthread_mutex_unlock(&lock);
    return status;
}

const char *ccuda_problem(ccuda_library library) { return libraries[library].problem; }
const char *ccuda_path(ccuda_library library) { return libraries[library].path; }

void *ccuda_symbol(ccuda_library library, const char *name) {
    void *handle = libraries[library].handle;
    return handle ? dlsym(handle, name) : NULL;
}
