/* The server that sends back what comes. */
#include "udp_load.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

int run_echo(const struct options *options)
{
  static char data[BATCH][2048];
  struct sockaddr_in clients[BATCH];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH] = {0};
  for (int i = 0; i < BATCH; i++) {
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &clients[i];
  }
  struct pollfd wanted[2] = {{.fd = open_server(options), .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  while (poll(wanted, 2, -1) >= 0 && wanted[1].revents == 0) {
    for (int i = 0; i < BATCH; i++) {
      parts[i] = (struct iovec){data[i], sizeof data[i]};
      messages[i].msg_hdr.msg_namelen = sizeof clients[i];
    }
    int count = recvmmsg(wanted[0].fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0) continue;
    for (int i = 0; i < count; i++) parts[i].iov_len = messages[i].msg_len;
    for (int sent = 0; sent < count;) {
      int gone = sendmmsg(wanted[0].fd, messages + sent, (unsigned)(count - sent), 0);
      sent += gone > 0 ? gone : 1; /* one that cannot be sent is lost, the rest is not */
    }
  }
  return 0;
}
