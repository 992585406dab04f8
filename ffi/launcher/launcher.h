/* The launcher: finds the files of the runtime and the program, and becomes the Deno runtime that runs the
 * program. They are in one of three forms:
 *   packed     compressed behind the launcher's own ELF image, unpacked once into a cache directory
 *   image      a squashfs behind it, mounted from the file itself; unpacked like packed where that is
 *   impossible
 *   installed  files of a package in ../lib/tproxy
 *
 *   main.c            which form, arguments, environment, exec
 *   failure.c         what has gone wrong, in words
 *   machine.c         what Deno cannot survive
 *   payload.c         the index at the end of the file: which form, which layers, which files
 *   unpack.c          one layer out of the file into a directory, checked by hash
 *   cache.c           layers on disk: made once, held while in use, removed when old
 *   room.c            whether a layer fits
 *   image.c           the squashfs, mounted; loop.c the loop device for it; guard.c keeps the file from being
 *   overwritten
 *   installed.c       layers that a package has brought
 *   compiled.c        where Deno keeps what it has compiled
 *   place.c           which directories serve as cache, and whether they can be trusted
 *   tree.c            directories made, held and removed
 *   user_namespace.c  `tproxy selftest` without root
 *   privileges.c      `tproxy run` with as little power as it needs: wishes.c its options, user.c whom it
 *   becomes, capabilities.c, landlock.c, seccomp.c and syscalls.c; child.c starts those who keep some of it:
 *   file_server.c opens root's files, netlink_server.c changes the kernel's rules, by netlink_check.c and the
 *   others of its name
 *   sha256.c          FIPS 180-4 */
#ifndef TPROXY_LAUNCHER_H
#define TPROXY_LAUNCHER_H

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#define MAX_LAYERS 4
#define MAX_FILES 32     /* in one layer */
#define MAX_PARTS 16     /* of one layer's data */
#define NAME_SIZE 64     /* names in the index, with the final zero */
#define PATH_SIZE 1024   /* paths that the launcher makes */
#define ERROR_SIZE 8192

/* Every unpacked file gets this modification time, so that a later write to it shows at the next start. */
#define UNPACKED_TIME 1000000000

/* ---- failure.c ---- */
/* A failure to explain. Functions return 0, or -1 with the text filled in (a sentence without final stop). */
struct failure {
  char text[ERROR_SIZE];
  int damaged; /* our own file is damaged: no other place will help */
};
int fail(struct failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- machine.c ---- */
/* Refuses what Deno would die of without a word. */
int check_machine(struct failure *failure);

/* ---- payload.c ---- */
enum form { PACKED, IMAGE, INSTALLED };

struct payload_file {
  char name[NAME_SIZE];
  mode_t mode;
  off_t size; /* unpacked */
};

/* A piece of the file. */
struct part {
  off_t offset, size;
  int raw; /* not compressed */
};

struct layer {
  char name[NAME_SIZE];    /* "runtime" or "program" */
  char id[NAME_SIZE];      /* directory name in the cache: name, version and hash */
  uint8_t sha256[32];      /* of the bytes of its parts */
  off_t unpacked_size;     /* sum of the files */
  int file_count, part_count;
  struct payload_file files[MAX_FILES];
  struct part parts[MAX_PARTS]; /* in order they give the contents of the files, in order */
};

struct payload {
  int fd;                  /* the file itself, open for reading */
  char path[PATH_SIZE];    /* its absolute path */
  enum form form;
  char version[NAME_SIZE]; /* of the program */
  struct part image;       /* the squashfs, in the form IMAGE; it has a directory of each layer's name */
  uint8_t image_sha256[32];
  int layer_count;
  struct layer layers[MAX_LAYERS];
  const struct layer *runtime, *program; /* two of them */
};

/* Opens our own file and reads the index at its end. */
int payload_open(struct payload *payload, struct failure *failure);

/* ---- unpack.c ---- */
/* Result of unpack_layer() besides 0 and -1. */
#define UNPACK_NO_ROOM (-2)

/* Writes the files of a layer into the (empty) directory. A progress line naming `into` goes to stderr after
 * a second. */
int unpack_layer(const struct payload *payload, const struct layer *layer, int directory, const char *into,
                 struct failure *failure);
/* Cheap check (no hash): the first file that is not there with its size and mode, NULL: all are. Files that
 * we have unpacked have their modification time too. */
const char *missing_file(const struct layer *layer, int directory, int unpacked);

/* ---- tree.c ---- */
/* The directory, with this mode if it is new, and all above it. -1 with errno. */
int make_directories(const char *path, mode_t mode);
/* rm -rf, symbolic links not followed. */
void remove_tree(int parent, const char *name);
/* Takes a directory out of its place and removes it. */
void discard_tree(int parent, const char *name);
/* Opens a directory and takes a shared lock on it, which lives as long as the descriptor, also beyond exec.
 * -1 when it is not there. */
int hold_directory(int parent, const char *name);
/* Removes a directory, unless somebody holds it. */
void remove_unless_held(int parent, const char *name);

/* ---- place.c ---- */
#define CACHE_VARIABLE "TPROXY_CACHE_DIR"

enum place_kind {
  CHOSEN, /* by the user, in the environment */
  USUAL,
  SHARED, /* in a directory where everybody may write */
};
struct place {
  enum place_kind kind;
  int data; /* nothing is executed from there */
  char path[PATH_SIZE];
};
struct places {
  int count;
  struct place list[4];
};
/* The directories to try for what is unpacked, the best first. */
void list_places(struct places *places);
/* The same for what is only read and written; memory rather than flash. */
void list_data_places(struct places *places);
/* Makes and opens the directory, if nobody else can write there and programs can be started from there. */
int open_place(const struct place *place, struct failure *failure);

/* ---- What is ready to run ---- */
struct ready {
  /* Directories, open; the first two hold the files of the layers. -1: none. All are meant to survive exec:
   * while a process lives nobody removes its files. */
  int program, runtime, mount, compiled;
  char control[PATH_SIZE]; /* the folder of the control socket, empty: the usual one */
  int files;    /* the socket of the one who opens files; -1: there is none */
  int netlink;  /* the same of the one who changes the kernel's rules */
  int confined; /* what Deno may do is to be limited */
  /* Paths of the first two, empty if they have none. */
  char program_path[PATH_SIZE], runtime_path[PATH_SIZE];
  char cache[PATH_SIZE];     /* the directory that we have unpacked into, or empty */
  char deno_dir[PATH_SIZE];
};

/* ---- room.c ---- */
/* Bytes that layers take on the file system of this directory, about: some file systems compress. */
off_t room_for(int directory, off_t bytes);
/* Bytes that are free there. */
off_t free_room(int directory);
/* "no room: …", after a failure. */
int no_room(int directory, off_t bytes, struct failure *failure);

/* ---- cache.c ---- */
/* Chooses the cache directory, unpacks what is missing and takes a shared lock on each layer's directory.
 * `instead` says why the image could not be mounted, NULL: there is none. */
int cache_prepare(const struct payload *payload, const char *instead, struct ready *ready, struct failure *failure);

/* ---- loop.c ---- */
/* Gives the part of the file a loop device, the one that it has already if it has one. The device vanishes
 * with its last user. Returns its descriptor and its path. */
int open_loop(int file, const struct part *part, char device[PATH_SIZE], struct failure *failure);

/* ---- image.c ---- */
/* Mounts the image, seen by nobody but the holders of ready->mount. The failure says why not; it is no end if
 * the file is not damaged. */
int image_prepare(const struct payload *payload, struct ready *ready, struct failure *failure);

/* ---- guard.c ---- */
/* Starts a process that lives as long as this one, and keeps the file from being written to. */
void start_guard(void);

/* ---- installed.c ---- */
/* Finds the layers that a package has brought, in ../lib/tproxy seen from our own directory. */
int installed_prepare(const struct payload *payload, struct ready *ready, struct failure *failure);

/* ---- compiled.c ---- */
/* Chooses Deno's directory for compiled code, and fills it from the program's layer. It has to be writable:
 * what Deno cannot write to it does not read either, and a run without compiled code has 99 MB instead of 72.
 */
void compiled_prepare(const struct payload *payload, struct ready *ready);
/* Opens the first usable directory for data: a descriptor and its path, or -1. */
int open_data_place(char path[PATH_SIZE]);

/* ---- user_namespace.c ---- */
/* Gives a process without CAP_NET_ADMIN or CAP_SYS_ADMIN a user and a network namespace in which it has both.
 * Returns 1 = entered, 0 = not needed, -errno = the kernel refuses. */
int enter_user_namespace(void);

/* ---- wishes.c ---- */
struct wishes {
  const char *config; /* path */
  const char *user;   /* name or number; NULL: the usual one */
  int keep;           /* what it has been started with */
};
void read_wishes(char **words, struct wishes *wishes);
#define MAX_CONFIG (4 << 20)
/* The text of a config, to be freed; NULL: it cannot be read. */
char *read_config(const char *path, struct stat *status);
/* Is this place in a config the value of that key? */
int follows_key(const char *text, const char *at, const char *key);
/* Does the config ask for programs that root alone can run? One that cannot be read asks for nothing. */
int wants_iptables(const char *config);
/* The folder of the control socket, where the config names one: 0, else -1. */
int control_folder(const char *config, char folder[PATH_SIZE]);

/* ---- user.c ---- */
struct user {
  uid_t uid;
  gid_t gid;
};
/* The user of that name or number; without a wish tproxy, or else one of our own. -1: there is none. */
int choose_user(const char *wish, struct user *user);

/* ---- capabilities.c, results are 0 or -errno ---- */
/* Takes all others out of the bounding set. */
int bound_capabilities(uint32_t wanted);
/* Gives up all others. */
int limit_capabilities(uint32_t wanted);
int has_capability(int capability);
/* May sockets be marked with CAP_NET_RAW alone, as since Linux 5.17? 1 or 0, or -errno. */
int may_mark_without_admin(void);
/* Has a program that is not root's keep them. */
int keep_over_exec(uint32_t wanted);
/* Becomes the user, with all capabilities. */
int become(const struct user *user);

/* ---- landlock.c ---- */
/* The version of Landlock that is in force, or -errno. */
int confine_files(const struct ready *ready);

/* ---- syscalls.c, seccomp.c ---- */
extern const short ALLOWED_CALLS[]; /* ends with -1 */
/* Refuses all other calls, and with `by_arguments` some uses of socket, ioctl and clone. 0 or -errno. */
int filter_calls(const short *allowed, int by_arguments);

/* ---- child.c ---- */
/* A child of the launcher that works for the proxy, stays who it was, and ends with it. */
struct child {
  const char *name;
  uint32_t capabilities;
  const short *calls; /* that it may make; ends with -1 */
  int kept;           /* a descriptor that it has as number 1; -1: none */
  void (*serve)(const void *subject); /* the socket is 0 */
  const void *subject;
};
/* Starts it: the proxy's end of the socket, or -errno. */
int start_child(const struct child *child);
/* Answers with a number, and a descriptor unless it is -1. 0, or -1. */
int answer_with(int socket, int32_t number, int fd);

/* ---- netlink_bytes.c ---- */
struct span {
  const uint8_t *at;
  size_t size;
};
#define MAX_ATTRIBUTES 32
struct attributes {
  uint32_t there; /* bits, by type */
  struct span of[MAX_ATTRIBUTES];
};
/* Takes the next one off: 1, 0 at the end, -1 where lengths do not add up. */
int take_attribute(struct span *rest, unsigned *type, struct span *value);
/* Reads all: 0, or -1 if there are others than the `allowed`, or one twice. */
int read_attributes(struct span bytes, uint32_t allowed, struct attributes *found);
int has_attribute(const struct attributes *attributes, unsigned type);
/* As it lies in memory: 0, or -1 if it is not there with this size. */
int read_u32(const struct attributes *attributes, unsigned type, uint32_t *value);
/* Are the bytes this text, with its zero? */
int is_text(struct span bytes, const char *text);

/* ---- netlink_check.c; netlink_tables.c, netlink_flows.c, netlink_routes.c ---- */
/* What a proxy calls its own. */
struct netlink_limits {
  uint32_t marks; /* bits that its routing rules ask for */
  uint32_t table; /* the routing table that delivers to this machine */
  uint32_t port;  /* of its listener: groups and queues are numbered from there */
};
#define NF_TABLES 10
/* May this datagram be sent? `protocol`: NETLINK_ROUTE or NETLINK_NETFILTER. */
int may_send(int protocol, const uint8_t *bytes, size_t size, const struct netlink_limits *limits);
/* These take the body of a message, behind struct nlmsghdr, and that has struct nfgenmsg at least. */
int may_change_tables(unsigned message, struct span body);
int may_frame_batch(struct span body);
int may_change_flows(unsigned message, unsigned flags, struct span body);
int may_log(unsigned message, struct span body, const struct netlink_limits *limits);
int may_queue(unsigned message, struct span body, const struct netlink_limits *limits);
/* This takes any. */
int may_change_routes(unsigned type, unsigned flags, struct span body, const struct netlink_limits *limits);

/* ---- netlink_server.c ---- */
/* Starts it: the proxy's end of the socket, or -errno. */
int start_netlink_server(void);

/* ---- file_server.c ---- */
struct served {
  const char *config;
  uid_t uid; /* of the proxy */
};
/* Starts it: the proxy's end of the socket, or -errno. */
int start_file_server(const struct served *served);

/* ---- privileges.c ---- */
#define RUN_DIRECTORY "/run/tproxy"
/* Becomes another user with few capabilities, unless something else is wished. */
int drop_privileges(char **words, struct ready *ready, struct failure *failure);
/* Limits what Deno can do. The last step. */
void confine(const struct ready *ready);

/* ---- sha256.c ---- */
struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
};
void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[32]);

#endif
