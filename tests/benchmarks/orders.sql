create table orders(
 id bigserial primary key, customer_id int not null, status text not null, amount numeric(12,2) not null,
 currency char(3) not null, created_at timestamptz not null, updated_at timestamptz not null, note text, attrs jsonb);
insert into orders(customer_id,status,amount,currency,created_at,updated_at,note,attrs)
select (random()*500000)::int,
 (array['NEW','PAID','SHIPPED','DELIVERED','CANCELLED'])[1+(g%5)],
 round((random()*10000)::numeric,2),
 (array['EUR','USD','GBP','JPY'])[1+(g%4)],
 timestamptz '2026-01-01' + g*interval '2 seconds',
 timestamptz '2026-01-01' + g*interval '2 seconds' + random()*interval '3 days',
 case when g%50=0 then null when g%97=0 then 'customer said "déjà vu"\back, line'||chr(10)||md5(g::text) else 'note '||md5(g::text)||' lorem ipsum dolor sit' end,
 jsonb_build_object('channel',(array['web','app','pos'])[1+(g%3)],'items',1+(g%7),'gift',g%10=0,'coupon','C'||(g%1000))
from generate_series(1,{rows}) g;
create index orders_wm on orders(updated_at,id);
vacuum (analyze, freeze) orders;
checkpoint;
